package local

import (
	"fmt"
	"strconv"
	"strings"
)

// maxInstances is how many processes of one type may run: beyond them lie the
// ports of the next type.
const maxInstances = portStep

// An asked is a process type and how many of it are to run.
type asked struct {
	kind     string
	quantity int
}

// formation reads which process types are asked for, in order.
func formation(args []string, have []Process) ([]asked, error) {
	var all []asked
	if len(args) == 0 {
		for _, p := range have {
			if p.Type != releaseProcess {
				all = append(all, asked{p.Type, 1})
			}
		}
		return all, nil
	}
	index := map[string]int{}
	for item := range strings.SplitSeq(strings.Join(args, ","), ",") {
		kind, number, given := strings.Cut(strings.TrimSpace(item), "=")
		a := asked{kind, 1}
		if given {
			n, err := strconv.Atoi(number)
			if err != nil || n < 0 || n > maxInstances {
				return nil, usage("%q does not say how many %.63q processes to run: write %.63s=2, say, with %d at most", item, kind, kind, maxInstances)
			}
			a.quantity = n
		}
		if kind == "" {
			return nil, usage("%q names no process type: write web, web=2 or web=1,worker=2", strings.Join(args, " "))
		}
		if i, twice := index[kind]; twice {
			all[i] = a
			continue
		}
		if len(all) == maxTypes {
			return nil, usage("more than %d process types are asked for: name fewer", maxTypes)
		}
		index[kind] = len(all)
		all = append(all, a)
	}
	return all, nil
}

// A planned is a process that is about to be started.
type planned struct {
	name    string // "web.1"
	command string
	port    int
	color   int // an index
}

// plan lists the processes. Ports count up within a type, and by a hundred from
// one type to the next.
func plan(asked []asked, have []Process, port int, out *console) ([]planned, error) {
	commands := make(map[string]string, len(have))
	for _, p := range have {
		commands[p.Type] = p.Command
	}
	var all []planned
	for k, a := range asked {
		command, known := commands[a.kind]
		if !known {
			out.warn("Required Key '%s' Does Not Exist in Procfile Definition", printable(a.kind))
			continue
		}
		for j := range a.quantity {
			p := planned{name: fmt.Sprintf("%s.%d", a.kind, j+1), command: command, port: port + j + k*portStep, color: j + k}
			if p.port > maxPort {
				return nil, usage("%s would get port %d, and %d is the last: choose a lower --port or run fewer processes", p.name, p.port, maxPort)
			}
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil, usage("nothing to run: the Procfile has %s", strings.Join(types(have), ", "))
	}
	return all, nil
}

func types(have []Process) []string {
	out := make([]string, 0, len(have))
	for _, p := range have {
		out = append(out, p.Type)
	}
	return out
}
