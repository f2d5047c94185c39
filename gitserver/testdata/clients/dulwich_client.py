"""dulwich as a client: dulwich_client.py push|clone|fetch URL DIR [REFSPEC...]"""
import sys

from dulwich import porcelain

verb, url, where, *refspecs = sys.argv[1:]
err = sys.stderr.buffer
if verb == "push":
    porcelain.push(where, url, refspecs=refspecs, outstream=err, errstream=err,
                   force=any(r.startswith("+") for r in refspecs))
elif verb == "clone":
    porcelain.clone(url, where, errstream=err)
else:
    porcelain.fetch(where, url, errstream=err)
