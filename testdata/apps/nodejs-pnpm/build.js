const fs = require("node:fs");
const ms = require("ms");

fs.mkdirSync("dist", { recursive: true });
fs.writeFileSync("dist/built.json", JSON.stringify({ built: `good for ${ms(3600000, { long: true })}` }) + "\n");
console.log("Wrote dist/built.json");
