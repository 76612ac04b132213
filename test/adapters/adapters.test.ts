import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import * as forNode from "../../src/adapters/node/index.ts";
import { testAdapters } from "./adapter-tests.ts";
import { startNode } from "./applications.ts";

testAdapters({ express, fastify, Hono }, [["plain Node", startNode, false]]);

describe("the adapters", () => {
  it("leaves the global Request and Response unchanged", () => {
    const before = [globalThis.Request, globalThis.Response];
    forNode.toNodeHandler({ fetch: async () => new Response() });
    expect([globalThis.Request, globalThis.Response]).toEqual(before);
  });
});
