import type { ReactNode } from "react";
import { Link } from "wouter";
import { Head } from "../parts/head.tsx";

/** What is shown at a path without a page. */
export function NotFoundPage(): ReactNode {
  return (
    <>
      <Head title="Page not found" />
      <p>
        There is no such page. <Link href="/">Go to the overview.</Link>
      </p>
    </>
  );
}
