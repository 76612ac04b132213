/** The part of ra-core that the provider uses. The rest needs React, Redux and a router. */
import * as fetchUtils from "./node_modules/ra-core/esm/dataProvider/fetch.js";

export { fetchUtils };
