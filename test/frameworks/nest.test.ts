import { testNest } from "./nest-cases.ts";

testNest("nest");
