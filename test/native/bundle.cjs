/** Bundles the app with Metro: `node bundle.cjs OUT`. Run by test/native/bundle.test.ts. */
const { createRequire } = require("node:module");
const { join, resolve } = require("node:path");

const example = resolve(__dirname, "../../examples/native");
const standIns = join(__dirname, "stand-ins");
const load = createRequire(join(example, "package.json"));
const stood = ["expo-crypto", "expo-secure-store", "react-native"];

async function main() {
  const { getDefaultConfig, mergeConfig } = load("metro-config");
  const config = mergeConfig(await getDefaultConfig(example), {
    projectRoot: example,
    watchFolders: [example, standIns],
    maxWorkers: 1,
    resetCache: true,
    cacheStores: [],
    reporter: { update() {} },
    resolver: {
      useWatchman: false,
      resolveRequest: (context, name, platform) =>
        stood.includes(name)
          ? { type: "sourceFile", filePath: join(standIns, `${name}.js`) }
          : context.resolveRequest(context, name, platform),
    },
    transformer: { babelTransformerPath: load.resolve("metro-babel-transformer") },
  });
  const entry = join(standIns, "app.js");
  await load("metro").runBuild(config, { entry, out: process.argv[2], platform: "ios", dev: false, minify: false });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
