package detector

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"time"
)

// A Case is a directory as a test: what continuous integration shows of it.
type Case struct {
	Name   string // the directory
	Report *Report
	Took   time.Duration
	// Failure is why the case failed, in a line; "" if it did not. Diff says
	// more.
	Failure, Diff string
	// Error is why the case could not be tried; "" if it could.
	Error string
	// Notes are remarks on it, a line each.
	Notes []string
}

// CaseOf is a report as a case that fails where the report is not OK.
func CaseOf(r *Report) Case {
	c := Case{Name: r.Dir, Report: r, Took: r.Took}
	switch {
	case r.Err != "":
		c.Error = r.Err
	case !r.OK():
		c.Failure = r.Verdict()
	}
	return c
}

type suitesXML struct {
	XMLName xml.Name   `xml:"testsuites"`
	Suites  []suiteXML `xml:"testsuite"`
}

type suiteXML struct {
	Name     string    `xml:"name,attr"`
	Tests    int       `xml:"tests,attr"`
	Failures int       `xml:"failures,attr"`
	Errors   int       `xml:"errors,attr"`
	Skipped  int       `xml:"skipped,attr"`
	Time     string    `xml:"time,attr"`
	Cases    []caseXML `xml:"testcase"`
}

type caseXML struct {
	Name    string      `xml:"name,attr"`
	Class   string      `xml:"classname,attr"`
	Time    string      `xml:"time,attr"`
	Failure *faultXML   `xml:"failure"`
	Error   *faultXML   `xml:"error"`
	Output  *contentXML `xml:"system-out"`
}

type faultXML struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",cdata"`
}

type contentXML struct {
	Text string `xml:",cdata"`
}

// WriteJUnit writes cases as a test suite in JUnit's XML, which continuous
// integration reads.
func WriteJUnit(w io.Writer, suite string, cases []Case) error {
	s := suiteXML{Name: visible(suite), Tests: len(cases)}
	var sum time.Duration
	for _, c := range cases {
		x, err := caseOf(suite, c)
		if err != nil {
			return err
		}
		if x.Failure != nil {
			s.Failures++
		}
		if x.Error != nil {
			s.Errors++
		}
		sum += c.Took
		s.Cases = append(s.Cases, x)
	}
	s.Time = seconds(sum)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(suitesXML{Suites: []suiteXML{s}}); err != nil {
		return fmt.Errorf("write JUnit's XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func caseOf(suite string, c Case) (caseXML, error) {
	x := caseXML{Name: visible(c.Name), Class: visible(suite), Time: seconds(c.Took)}
	if c.Failure != "" {
		x.Failure = &faultXML{visible(c.Failure), "difference", visibleLines(c.Diff)}
	}
	if c.Error != "" {
		x.Error = &faultXML{visible(c.Error), "error", visibleLines(c.Diff)}
	}
	if c.Report != nil {
		var table bytes.Buffer
		if err := WriteTable(&table, c.Report, Look{Verbose: true}); err != nil {
			return x, err
		}
		for _, note := range c.Notes {
			fmt.Fprintln(&table, visible(note))
		}
		x.Output = &contentXML{"\n" + table.String()}
	}
	return x, nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
