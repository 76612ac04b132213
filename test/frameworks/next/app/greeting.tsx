"use client";

import { useEffect, useState } from "react";
import { useSession } from "tokenpair/react";

/** Shows the session, and what the first rendering showed. */
export function Greeting() {
  const { status, user } = useSession();
  const [first] = useState(status);
  const [isActive, setActive] = useState(false);
  useEffect(() => setActive(true), []);
  return (
    <p id="client" data-first={first} data-active={isActive}>
      {status === "authenticated" ? `${status} ${user.username}` : status}
    </p>
  );
}
