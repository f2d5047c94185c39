//go:build bench

package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"slipway/gitserver/pktline"
)

// clones compares the server's side of a clone of the large history.
func (b *gitBench) clones() {
	b.compare("full clone / git pack-objects --all --stdout", goals{ratio: 0.5, peak: 100}, b.sends, func() (cost, error) {
		return b.pack(b.t.Context(), b.large.dir, os.DevNull)
	})
	request := b.shallowRequest()
	want, err := b.shallowPeer(request)
	if err != nil {
		b.t.Fatalf("git upload-pack: %v", err)
	}
	b.compare("shallow clone, --depth 1 / git upload-pack", goals{ratio: 1}, answers(want, request, b.shallow), answers(want, request, b.shallowPeer))
}

// answers measures how long the answer to a request takes to its last byte,
// and wants so many objects in it.
func answers(want int, request []byte, ask func([]byte) (int, error)) trial {
	return func() (cost, error) {
		started := time.Now()
		n, err := ask(request)
		took := time.Since(started)
		if err == nil && n != want {
			err = fmt.Errorf("%d objects were sent, want %d", n, want)
		}
		return cost{seconds: took.Seconds()}, err
	}
}

// sends makes our process send all to nowhere.
func (b *gitBench) sends() (cost, error) {
	var said bytes.Buffer
	cmd := b.role(b.t.Context(), "git-send", b.large.dir)
	cmd.Stderr = &said
	c, err := weighed(cmd)
	if err != nil {
		return c, fmt.Errorf("%w: %s", err, said.String())
	}
	if n, err := strconv.Atoi(said.String()); err != nil || n != b.large.objects {
		return c, fmt.Errorf("%q objects were sent, want %d", said.String(), b.large.objects)
	}
	return c, nil
}

// shallowRequest is what git clone --depth 1 asks for in protocol v2; see
// gitprotocol-v2.
func (b *gitBench) shallowRequest() []byte {
	tip := b.must(b.t, b.large.dir, "rev-parse", b.large.branch)
	var req bytes.Buffer
	w := pktline.NewWriter(&req)
	for _, line := range []string{"command=fetch", "agent=git/2.39.5", "object-format=sha1"} {
		w.Line(line) // a buffer takes everything
	}
	w.Special(pktline.Delim)
	for _, line := range []string{"thin-pack", "no-progress", "include-tag", "ofs-delta", "deepen 1", "want " + tip, "done"} {
		w.Line(line + "\n")
	}
	w.Flush()
	return req.Bytes()
}

// shallow sends a request to our server, as the second one of a client: with
// sign-in and all. The peer gets it on standard input, and no HTTP around it.
func (b *gitBench) shallow(request []byte) (int, error) {
	url := b.doors.oursHTTP.address("large") + "/git-upload-pack"
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, url, bytes.NewReader(request))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	req.Header.Set("Git-Protocol", "version=2")
	resp, err := visitor.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the server answers %s", resp.Status)
	}
	return objectsIn(resp.Body)
}

func (b *gitBench) shallowPeer(request []byte) (int, error) {
	cmd := b.git(b.t.Context(), "", "upload-pack", "--stateless-rpc", b.doors.backend.path("large"))
	cmd.Env = append(slices.Clip(cmd.Env), "GIT_PROTOCOL=version=2")
	cmd.Stdin = bytes.NewReader(request)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	n, err := objectsIn(out)
	if err != nil {
		_ = cmd.Process.Kill() // it may have more to say
	}
	return n, errors.Join(err, cmd.Wait())
}

// objectsIn reads the answer to a fetch to its end, and returns how many
// objects its pack has.
func objectsIn(answer io.Reader) (int, error) {
	r := pktline.NewReader(bufio.NewReaderSize(answer, 64<<10))
	var pack packHead
	inPack := false
	for {
		kind, line, err := r.Next()
		switch {
		case errors.Is(err, io.EOF) || err == nil && kind == pktline.Flush:
			return pack.count()
		case err != nil:
			return 0, fmt.Errorf("read answer: %w", err)
		case kind != pktline.Data || len(line) == 0:
		case bytes.HasPrefix(line, []byte("ERR ")):
			return 0, errors.New(string(line[4:]))
		case inPack && line[0] == byte(pktline.BandFatal):
			return 0, errors.New(string(line[1:]))
		case inPack && line[0] == byte(pktline.BandData):
			pack.Write(line[1:])
		case string(pktline.TrimLF(line)) == "packfile":
			inPack = true
		}
	}
}
