package detector_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/buildpacks/detector"
	"slipway/internal/testkit/browser"
)

var pictures = flag.String("pictures", "", "the directory, as a whole path, for pictures of the page")

// openPage writes the page of the sample reports and opens it in Chromium.
func openPage(t *testing.T, width, height int) (page *browser.Page, url string) {
	t.Helper()
	if testing.Short() {
		t.Skip("Chromium takes seconds")
	}
	var b bytes.Buffer
	cases := []detector.Case{detector.CaseOf(shop(t)), detector.CaseOf(mill(t))}
	if err := detector.WriteHTML(&b, "slipway detect apps/* "+hostile, cases); err != nil {
		t.Fatalf("WriteHTML = %v", err)
	}
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	page = browser.Open(t, width, height)
	page.Go("file://" + path)
	return page, "file://" + path
}

// expect asks the page a question.
func expect(t *testing.T, page *browser.Page, question string, want any) {
	t.Helper()
	if got := page.Eval(question); got != want {
		t.Errorf("%s = %v, want %v", question, got, want)
	}
}

func picture(t *testing.T, page *browser.Page, name string) {
	t.Helper()
	if *pictures == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*pictures, name+".png"), page.Picture(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPageInChromium(t *testing.T) {
	t.Parallel()
	page, url := openPage(t, 1200, 1000)
	picture(t, page, "light")

	// What apps and buildpacks say is text, and nothing was loaded or run.
	expect(t, page, "document.scripts.length + document.images.length", 0.0)
	expect(t, page, "document.title.includes('owned</script>') || document.title === 'owned'", false)
	expect(t, page, "document.querySelector('tr#d2-g1-b1 pre').textContent.includes(\"<script>document.title='owned'</script>\")", true)
	expect(t, page, "document.body.innerText.includes('\\u202e') || document.body.innerText.includes('\\u001b')", false)
	if got := page.Requests(); !slices.Equal(got, []string{url}) {
		t.Errorf("the page asks for %q, want only itself", got)
	}
	if got := page.Problems(); len(got) > 0 {
		t.Errorf("the browser complains of %q", got)
	}

	// The style sheet's hash is right: its colours apply, and the policy forbids others.
	expect(t, page, "getComputedStyle(document.body).backgroundColor", "rgb(246, 247, 249)")
	page.Dark(true)
	expect(t, page, "getComputedStyle(document.body).backgroundColor", "rgb(16, 20, 27)")
	picture(t, page, "dark")
	page.Dark(false)

	// A cell of the matrix opens what it stands for.
	expect(t, page, "document.querySelectorAll('.matrix tbody .chip').length", 7.0)
	expect(t, page, "document.querySelector('#d1').open", false)
	page.Click(".matrix a[href='#d1-g2-b1']")
	expect(t, page, "document.querySelector('#d1').open && document.querySelector('#d1-g2').open", true)
	expect(t, page, "document.querySelector('#d1-g2-b1').matches(':target') && document.querySelector('#d1-g2-b1').checkVisibility()", true)
	expect(t, page, "document.querySelector('#d1-g1').textContent.includes('python 3.13.5') || document.querySelector('#d1 dl').textContent.includes('3.13.5')", true)

	// So does the keyboard.
	page.Go(url)
	page.Eval("document.querySelector(\".matrix a[href='#d1-g1-b1']\").focus()")
	page.Press("Enter")
	expect(t, page, "document.querySelector('#d1').open && document.querySelector('#d1-g1-b1').checkVisibility()", true)

	// Only trouble is shown where that is asked for.
	page.Click("label[for=show-bad]")
	expect(t, page, "[...document.querySelectorAll('.matrix tbody tr')].filter(e => e.checkVisibility()).length", 1.0)
}

func TestPlanIsDrawn(t *testing.T) {
	t.Parallel()
	page, _ := openPage(t, 390, 800)
	expect(t, page, "document.querySelectorAll('#d1-g1 svg .node.pack').length", 4.0)
	expect(t, page, "document.querySelectorAll('#d1-g1 svg .node.name').length", 2.0)
	expect(t, page, "document.querySelectorAll('#d1-g1 svg path.edge').length", 4.0)
	expect(t, page, "document.querySelectorAll('#d1-g1 svg .unmet, #d1-g1 svg .unused').length", 0.0)
	expect(t, page, "[...document.querySelectorAll('#d2-g1 svg .node.unmet text')].map(e => e.textContent)[0]", "jdk")
	expect(t, page, "[...document.querySelectorAll('#d2-g1 svg path.edge.unmet')].map(e => e.querySelector('title').textContent)[1]", "acme/maven@3.0.0 requires jdk")
	expect(t, page, "document.querySelector('#d2-g1 svg g.tag.unused').textContent.trim()", "unused")
	expect(t, page, "document.querySelector('#d2-g1 svg').getAttribute('aria-label').includes('cache is unused')", true)
	// An edge begins and ends at its nodes.
	expect(t, page, `(() => {
		const edge = document.querySelector('#d1-g1 svg path.edge'), node = document.querySelector('#d1-g1 svg .node.pack rect')
		const start = edge.getPointAtLength(0)
		return start.x === node.x.baseVal.value + node.width.baseVal.value && start.y === node.y.baseVal.value + node.height.baseVal.value / 2
	})()`, true)
	// A phone scrolls what is wide, not the page.
	expect(t, page, "document.documentElement.scrollWidth <= innerWidth", true)
	page.Eval("document.querySelectorAll('details').forEach(e => e.open = true)")
	expect(t, page, "document.documentElement.scrollWidth <= innerWidth", true)
	picture(t, page, "phone")
}

// A page of a thousand directories stays of a size that a browser can take, and
// an output of any size costs little of it.
func TestPageIsBounded(t *testing.T) {
	t.Parallel()
	loud := mill(t)
	loud.Groups[0].Results[0].Output = bytes.Repeat([]byte("\x1b["), 32<<10)
	var b bytes.Buffer
	if err := detector.WriteHTML(&b, "loud", slices.Repeat([]detector.Case{detector.CaseOf(loud)}, 100)); err != nil {
		t.Fatalf("WriteHTML = %v", err)
	}
	if most := 100 * (32 << 10); b.Len() > most {
		t.Errorf("the page of 100 directories has %d bytes, want at most %d", b.Len(), most)
	}
	if n := strings.Count(b.String(), "bytes more)"); n != 100 {
		t.Errorf("%d outputs of the page say that they were cut, want 100", n)
	}
}
