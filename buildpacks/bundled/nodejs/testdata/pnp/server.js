console.log(require("is-number")(7));
require("ms");
