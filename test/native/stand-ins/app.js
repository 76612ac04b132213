/** The app whose bundle the test runs: the client of examples/native. */
globalThis.client = require("../../../examples/native/client").client;
