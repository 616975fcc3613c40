// Google's CSP evaluator on a policy from standard input: node csp.mjs PACKAGE < policy
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const part = async (name) => {
  const loaded = await import(pathToFileURL(`${process.argv[2]}/dist/${name}.js`).href);
  return loaded.default ?? loaded;
};
const { CspParser } = await part("parser");
const { CspEvaluator } = await part("evaluator");
const csp = new CspParser(readFileSync(0, "utf8")).csp;
const found = new CspEvaluator(csp).evaluate();
console.log(JSON.stringify(found.map((f) => ({ severity: f.severity, directive: f.directive, why: f.description }))));
