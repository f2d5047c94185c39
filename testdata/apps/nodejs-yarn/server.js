const fs = require("node:fs");
const http = require("node:http");
const isNumber = require("is-number");

// What the build script made.
const { built } = JSON.parse(fs.readFileSync("dist/built.json", "utf8"));

http
  .createServer((request, response) => {
    response.setHeader("Content-Type", "text/plain");
    if (request.url === "/version") {
      response.end(process.version + "\n");
      return;
    }
    const what = request.url.slice(1) || "Node.js";
    response.end(`Hello from ${what}: ${isNumber(what) ? "a number" : "not a number"}, ${built}\n`);
  })
  .listen(process.env.PORT || 3000);
