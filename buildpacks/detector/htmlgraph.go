package detector

import (
	"fmt"
	"strings"
)

// The measures of a graph, in pixels.
const (
	nodeHeight = 30
	nodeStep   = 50  // from one node to the next below it
	packWidth  = 210 // of a buildpack
	nameWidth  = 170 // of what is provided and required
	nodeGap    = 110 // between two columns, where the edges are
	headHeight = 28
	nodeText   = 26 // columns of text that fit into a buildpack's node
)

// A graph is the plan of a group as a drawing: who provides what on the left,
// who requires it on the right.
type graph struct {
	Width, Height int
	Label         string
	Heads         []graphText
	Nodes         []graphNode
	Edges         []graphEdge
	Tags          []graphText
	Captions      []htmlWord
}

type graphText struct {
	X, Y        int
	Class, Text string
}

type graphNode struct {
	X, Y, W, H, R, TextX, TextY int
	Class, Text, Title          string
}

type graphEdge struct {
	Class, Path, Arrow, Title string
}

// newGraph draws the edges of a group's plan; nil if it has none.
func newGraph(g *Group) *graph {
	if len(g.Edges) == 0 {
		return nil
	}
	var providers, requirers []string
	for _, e := range g.Edges {
		providers, requirers = union(providers, e.ProvidedBy), union(requirers, e.RequiredBy)
	}
	rows := max(len(providers), len(requirers), len(g.Edges))
	d := &graph{Height: headHeight + rows*nodeStep - (nodeStep-nodeHeight)/4}
	left, middle, right := 1, packWidth+nodeGap, packWidth+2*nodeGap+nameWidth
	d.Width = right + packWidth + 1
	d.Heads = []graphText{{X: left, Text: "provided by"}, {X: middle, Text: "name in the plan"}, {X: right, Text: "required by"}}
	from := d.column(left, rows, providers)
	to := d.column(right, rows, requirers)
	top := headHeight + (rows-len(g.Edges))*nodeStep/2
	for i, e := range g.Edges {
		y := top + i*nodeStep
		d.name(middle, y, e)
		for _, id := range e.ProvidedBy {
			d.edge(left+packWidth, from[id], middle, y, e, visible(id+" provides "+e.Name))
		}
		for _, id := range e.RequiredBy {
			d.edge(middle+nameWidth, y, right, to[id], e, visible(id+" requires "+e.Name))
		}
		d.fault(middle, y, e)
	}
	d.Label = "Plan: " + strings.Join(each(d.Captions, func(c htmlWord) string { return c.Text }), "; ")
	return d
}

// column places buildpacks below each other and says where each lies.
func (d *graph) column(x, rows int, ids []string) map[string]int {
	at := map[string]int{}
	top := headHeight + (rows-len(ids))*nodeStep/2
	for i, id := range ids {
		y := top + i*nodeStep
		at[id] = y
		d.Nodes = append(d.Nodes, graphNode{
			X: x, Y: y, W: packWidth, H: nodeHeight, R: 8, TextX: x + 12, TextY: y + 20,
			Class: "pack", Text: fit(visible(id), nodeText), Title: visible(id),
		})
	}
	return at
}

func (d *graph) name(x, y int, e Edge) {
	name := visible(e.Name)
	d.Nodes = append(d.Nodes, graphNode{
		X: x, Y: y, W: nameWidth, H: nodeHeight, R: nodeHeight / 2, TextX: x + nameWidth/2, TextY: y + 20,
		Class: strings.TrimSpace("name " + e.Fault), Text: fit(name, nodeText-6), Title: name,
	})
	text := name + ": " + e.text()
	if e.Fault != "" {
		text = name + " is " + e.Fault + ": " + e.text()
	}
	d.Captions = append(d.Captions, htmlWord{e.Fault, text})
}

// edge leads from the right side of a node to the left side of another.
func (d *graph) edge(x1, y1, x2, y2 int, e Edge, title string) {
	const arrow = 8
	y1, y2 = y1+nodeHeight/2, y2+nodeHeight/2
	bend := (x2 - x1) / 2
	d.Edges = append(d.Edges, graphEdge{
		Class: e.Fault, Title: title,
		Path:  fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1+bend, y1, x2-bend, y2, x2-arrow, y2),
		Arrow: fmt.Sprintf("M%d %dl-%d -%dv%dz", x2, y2, arrow+1, arrow/2+1, arrow+2),
	})
}

// fault marks the side of a name on which there is nobody, and says so below it.
func (d *graph) fault(x, y int, e Edge) {
	const length, below = 46, 12
	middle, word := y+nodeHeight/2, e.Fault
	switch {
	case e.Fault == "unmet" && len(e.ProvidedBy) > 0:
		word = "✗ provided too late"
	case e.Fault == "unmet":
		word = "✗ unmet"
		d.Edges = append(d.Edges, graphEdge{Class: e.Fault, Path: fmt.Sprintf("M%d %dh%d", x-length, middle, length), Title: "nothing provides it"})
	case e.Fault == "unused":
		d.Edges = append(d.Edges, graphEdge{Class: e.Fault, Path: fmt.Sprintf("M%d %dh%d", x+nameWidth, middle, length), Title: "nothing requires it"})
	default:
		return
	}
	d.Tags = append(d.Tags, graphText{x + nameWidth/2, y + nodeHeight + below, e.Fault, word})
}

// union is a with what of b it lacks, in order.
func union(a, b []string) []string {
	seen := map[string]bool{}
	for _, id := range a {
		seen[id] = true
	}
	for _, id := range b {
		if !seen[id] {
			seen[id] = true
			a = append(a, id)
		}
	}
	return a
}
