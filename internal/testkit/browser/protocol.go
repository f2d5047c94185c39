package browser

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"
)

// patience is how long the browser may take for one command.
const patience = 30 * time.Second

// A Page is a page of a browser of its own. It is for one goroutine.
type Page struct {
	tb       testing.TB
	commands *os.File
	session  string
	loaded   chan struct{}

	mu       sync.Mutex
	last     int
	waiting  map[int]chan answer
	requests []string
	problems []string
	gone     error
}

// An answer is the result of a command.
type answer struct {
	result json.RawMessage
	err    error
}

// A message is an answer or an event of the DevTools Protocol.
type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// call sends a command, waits for its answer and decodes it into result, if
// there is one.
func (p *Page) call(method string, params map[string]any, result any) {
	p.tb.Helper()
	reply := make(chan answer, 1)
	p.mu.Lock()
	p.last++
	id := p.last
	p.waiting[id] = reply
	gone := p.gone
	p.mu.Unlock()
	if gone != nil {
		p.tb.Fatalf("%s: the browser is gone: %v", method, gone)
	}
	command := map[string]any{"id": id, "method": method, "params": params}
	if p.session != "" {
		command["sessionId"] = p.session
	}
	data, err := json.Marshal(command)
	if err != nil {
		p.tb.Fatalf("%s: %v", method, err)
	}
	if _, err := p.commands.Write(append(data, 0)); err != nil {
		p.tb.Fatalf("%s: %v", method, err)
	}
	select {
	case a := <-reply:
		if a.err != nil {
			p.tb.Fatalf("%s: %v", method, a.err)
		}
		if result == nil {
			return
		}
		if err := json.Unmarshal(a.result, result); err != nil {
			p.tb.Fatalf("%s: decode %s: %v", method, a.result, err)
		}
	case <-time.After(patience):
		p.tb.Fatalf("%s: no answer in %v", method, patience)
	}
}

// read takes what the browser says until it is gone.
func (p *Page) read(from io.Reader) {
	in := bufio.NewReader(from)
	for {
		data, err := in.ReadBytes(0)
		if err != nil {
			p.end(err)
			return
		}
		var m message
		if err := json.Unmarshal(data[:len(data)-1], &m); err != nil {
			p.end(fmt.Errorf("decode %.200q: %w", data, err))
			return
		}
		p.take(m)
	}
}

func (p *Page) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = err
	for id, reply := range p.waiting {
		reply <- answer{err: err}
		delete(p.waiting, id)
	}
}

func (p *Page) take(m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if reply := p.waiting[m.ID]; m.ID != 0 && reply != nil {
		delete(p.waiting, m.ID)
		a := answer{result: m.Result}
		if m.Error != nil {
			a.err = errors.New(m.Error.Message)
		}
		reply <- a
		return
	}
	switch m.Method {
	case "Page.loadEventFired":
		select {
		case p.loaded <- struct{}{}:
		default:
		}
	case "Network.requestWillBeSent":
		var e struct {
			Request struct {
				URL string `json:"url"`
			} `json:"request"`
		}
		_ = json.Unmarshal(m.Params, &e) // an empty address is one that no test expects
		p.requests = append(p.requests, e.Request.URL)
	case "Log.entryAdded", "Runtime.exceptionThrown", "Page.javascriptDialogOpening":
		p.problems = append(p.problems, m.Method+" "+string(m.Params))
	}
}
