package detector

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"
)

//go:embed html/page.tmpl
var pageText string

//go:embed html/page.css
var pageStyle string

// pageTemplate is parsed by the first page only: most runs write none.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(pageText))
})

// WriteHTML writes cases as one page: the matrix of directories, groups and
// buildpacks, each answer with what was said, and the plans as graphs. The page
// loads nothing and has no script; what apps and buildpacks say is text in it.
func WriteHTML(w io.Writer, heading string, cases []Case) error {
	p := newHTMLPage(heading, cases)
	if err := pageTemplate().Execute(w, p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

type htmlPage struct {
	Heading, Builder, Took string
	Good, Bad              int
	GoodWord, BadWord      string
	Style                  template.CSS
	StyleHash              string
	Columns                []*htmlColumn
	Rows                   []htmlRow
}

// A htmlColumn is a group of the builder's order, with a column for each of its
// buildpacks.
type htmlColumn struct {
	Label string
	Names []string
	key   groupKey
}

// A groupKey tells a trial of a group: meta-buildpacks make several of one.
type groupKey struct{ number, trial int }

// A htmlRow is a directory, in the matrix and below it.
type htmlRow struct {
	ID, Name, Verdict, Took string
	Good, Open              bool
	Trouble                 string
	Diff                    []htmlWord
	Facts                   []htmlFact
	Notes                   []string
	Cells                   []htmlCell
	Groups                  []htmlGroup
}

type htmlFact struct{ Label, Value, Why string }

// A htmlWord is a text with a class of the style sheet.
type htmlWord struct{ Class, Text string }

// A htmlCell is a buildpack's answer in the matrix; without a Href there is none.
type htmlCell struct{ Class, Href, Title, Outcome, Mark string }

type htmlGroup struct {
	ID, Class, State, Why string
	Number                int
	Open                  bool
	Results               []htmlResult
	Hints                 []string
	Graph                 *graph
}

type htmlResult struct {
	ID, Outcome, Mark, Name, Note, Took, Err, Output string
	Plan, Remarks                                    []string
}

func newHTMLPage(heading string, cases []Case) *htmlPage {
	sum := sha256.Sum256([]byte(pageStyle))
	p := &htmlPage{
		Heading: visible(heading), GoodWord: "detected", BadWord: "not detected",
		Style:     template.CSS(pageStyle), //nolint:gosec // it is ours
		StyleHash: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]),
	}
	p.Columns = columnsOf(cases)
	var total time.Duration
	for i, c := range cases {
		good := c.Failure == "" && c.Error == ""
		if good {
			p.Good++
		} else {
			p.Bad++
		}
		if c.Diff != "" {
			p.GoodWord, p.BadWord = "as expected", "different"
		}
		if c.Report != nil {
			p.Builder = cmp.Or(p.Builder, visible(c.Report.Builder))
		}
		total += c.Took
		p.Rows = append(p.Rows, p.row(i, c, good, len(cases) == 1))
	}
	p.Took = took(total)
	return p
}

// columnsOf are the groups that any of the cases tried, in order. Trials that
// have more buildpacks name the columns.
func columnsOf(cases []Case) []*htmlColumn {
	var all []*htmlColumn
	byKey := map[groupKey]*htmlColumn{}
	for _, c := range cases {
		if c.Report == nil {
			continue
		}
		trials := map[int]int{}
		for i := range c.Report.Groups {
			g := &c.Report.Groups[i]
			key := groupKey{g.Number, trials[g.Number]}
			trials[g.Number]++
			col := byKey[key]
			if col == nil {
				col = &htmlColumn{Label: fmt.Sprintf("group %d", g.Number), key: key}
				byKey[key] = col
				all = insertColumn(all, col)
			}
			if len(g.Results) > len(col.Names) {
				col.Names = each(g.Results, func(r Result) string { return shortName(&r) })
			}
		}
	}
	return all
}

// insertColumn keeps columns in the order of their groups.
func insertColumn(all []*htmlColumn, col *htmlColumn) []*htmlColumn {
	at := len(all)
	for at > 0 && (all[at-1].key.number > col.key.number ||
		all[at-1].key.number == col.key.number && all[at-1].key.trial > col.key.trial) {
		at--
	}
	all = append(all, nil)
	copy(all[at+1:], all[at:])
	all[at] = col
	return all
}

// shortName is the end of an ID, which tells the buildpacks of a builder apart.
func shortName(r *Result) string {
	name := r.ID[strings.LastIndexByte(r.ID, '/')+1:]
	name = fit(visible(cmp.Or(name, r.ID)), 22)
	if r.Optional {
		name += "?"
	}
	return name
}

func (p *htmlPage) row(i int, c Case, good, alone bool) htmlRow {
	row := htmlRow{
		ID: fmt.Sprintf("d%d", i+1), Name: visible(c.Name), Good: good, Open: alone || !good && p.Bad <= 3,
		Took: took(c.Took), Trouble: visibleLines(c.Error), Diff: diffWords(c.Diff), Notes: each(c.Notes, visible),
		Verdict: visible(cmp.Or(c.Error, c.Failure)),
	}
	r := c.Report
	if r == nil {
		for _, col := range p.Columns {
			row.Cells = append(row.Cells, make([]htmlCell, len(col.Names))...)
		}
		return row
	}
	row.Verdict = r.Verdict()
	if c.Failure != "" && c.Failure != row.Verdict {
		row.Trouble = visibleLines(c.Failure)
	}
	if bad := r.bad(); bad != nil {
		row.Trouble = visibleLines(strings.Join(bad.Lines, "\n"))
	}
	if g := nearest(r); g != nil && !r.ours() {
		row.Verdict += ": " + visible(g.Why)
	}
	row.Facts = facts(r)
	row.Cells = p.cells(row.ID, r)
	for g := range r.Groups {
		row.Groups = append(row.Groups, groupHTML(row.ID, r, g))
	}
	return row
}

// cells are a directory's answers under the columns.
func (p *htmlPage) cells(id string, r *Report) []htmlCell {
	at, trials := map[groupKey]int{}, map[int]int{}
	for i, g := range r.Groups {
		at[groupKey{g.Number, trials[g.Number]}] = i
		trials[g.Number]++
	}
	var cells []htmlCell
	for _, col := range p.Columns {
		i, tried := at[col.key]
		for n := range col.Names {
			var cell htmlCell
			class := ""
			if tried {
				class = groupClass(r, i)
				if n < len(r.Groups[i].Results) {
					res := &r.Groups[i].Results[n]
					cell = htmlCell{
						Href: resultID(id, i, n), Outcome: res.Outcome, Mark: mark(res.Outcome),
						Title: fmt.Sprintf("%s in group %d: %s", res.name(), r.Groups[i].Number, res.Outcome),
					}
				}
			}
			if n == 0 {
				class += " first"
			}
			if n == len(col.Names)-1 {
				class += " last"
			}
			cell.Class = strings.TrimSpace(class)
			cells = append(cells, cell)
		}
	}
	return cells
}

func resultID(dir string, group, result int) string {
	return fmt.Sprintf("%s-g%d-b%d", dir, group+1, result+1)
}

// groupClass says what became of a group, for the style sheet.
func groupClass(r *Report, i int) string {
	switch {
	case i == r.Chosen:
		return "taken"
	case r.Groups[i].Passed:
		return "also"
	default:
		return "lost"
	}
}
