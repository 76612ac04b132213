export { createDemoView } from "./demo-view.ts";
export { createSecondTab, markedFetch, secondTabHash } from "./second-tab.ts";
