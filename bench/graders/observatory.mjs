// MDN's HTTP Observatory on any page, port and path: node observatory.mjs PACKAGE HOST HTTPS_PORT HTTP_PORT PATH
// Its own command knows a host name only. *.localhost is this machine (RFC 6761), which libc does not know.
import dns from "node:dns";
import { pathToFileURL } from "node:url";

const lookup = dns.lookup;
dns.lookup = (host, options, done) =>
  lookup(host.endsWith(".localhost") ? "127.0.0.1" : host, options, done);

const [, , folder, host, httpsPort, httpPort, path] = process.argv;
const part = (name) => import(pathToFileURL(`${folder}/src/${name}`).href);
const { retrieve } = await part("retriever/retriever.js");
const { ALL_TESTS, ALGORITHM_VERSION } = await part("constants.js");
const { getGradeForScore, getScoreModifier } = await part("grader/grader.js");

const seen = await retrieve(host, { httpsPort, httpPort, path });
if (!seen.responses.auto) throw new Error("nothing answered");
const points = {};
for (const test of ALL_TESTS) {
  const output = test(seen);
  points[output.constructor.name] = getScoreModifier(output.result);
}
const all = Object.values(points);
const plain = 100 + all.filter((p) => p < 0).reduce((a, b) => a + b, 0);
const score = plain >= 90 ? 100 + all.reduce((a, b) => a + b, 0) : plain;
const told = { version: ALGORITHM_VERSION, status: seen.responses.auto.status, ...getGradeForScore(score), points };
console.log(JSON.stringify(told));
