import { testNext } from "./next-cases.ts";

testNext("next15");
