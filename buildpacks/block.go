package buildpacks

import "strings"

// Block renders lines as Heroku shows a warning or an error: a blank line,
// each line behind " !     ", a blank line.
func Block(lines []string) string {
	var b strings.Builder
	b.WriteByte('\n')
	for _, line := range lines {
		b.WriteString(strings.TrimRight(" !     "+line, " "))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.String()
}
