// Makes static/app.js, which Flask serves.
const fs = require("node:fs");
const isNumber = require("is-number");
const ms = require("ms");

fs.mkdirSync("static", { recursive: true });
fs.writeFileSync("static/app.js", `console.log(${isNumber(7)}, "${ms(3600000, { long: true })}");\n`);
console.log("Wrote static/app.js");
