// Command worker says that it works, again and again.
package main

import (
	"flag"
	"fmt"
	"time"
)

func main() {
	every := flag.Duration("every", time.Minute, "how often")
	flag.Parse()
	for now := range time.Tick(*every) {
		fmt.Println("working at", now.Format(time.TimeOnly))
	}
}
