package cli

import (
	"strings"
	"unicode/utf8"
)

// table prints rows below each other, with a rule below their heads. Without
// heads there are only rows.
func (c *cli) table(heads []string, rows [][]string) {
	widths := make([]int, len(heads))
	for _, row := range append([][]string{heads}, rows...) {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	if len(heads) > 0 {
		c.printf("%s\n%s\n", c.paint(bold, tableLine(heads, widths)), strings.Repeat("─", tableWidth(widths)))
	}
	for _, row := range rows {
		c.printf("%s\n", tableLine(row, widths))
	}
}

func tableLine(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		b.WriteString(cell)
		b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
	}
	return strings.TrimRight(b.String(), " ")
}

func tableWidth(widths []int) int {
	sum := 2 * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}
