package disguise

import (
	"os"
	"strings"
	"testing"
)

// BenchmarkNext looks texts over that hide nothing.
func BenchmarkNext(b *testing.B) {
	code, err := os.ReadFile("turner.go")
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"prose": "The history of the city begins long before its walls were built, with a ford, a market and a small wooden church. ",
		"code":  string(code),
	} {
		all := []byte(strings.Repeat(text, 4096/len(text)+1))
		for kind, u := range map[string]reader{"unmasker": &Unmasker{}, "turner": &Turner{}} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				b.SetBytes(int64(len(all)))
				b.ReportAllocs()
				for b.Loop() {
					for at := 0; at < len(all); {
						plain, n, err := u.Next(all, at, true)
						if err != nil {
							b.Fatal(err)
						}
						at += plain + n
					}
				}
			})
		}
	}
}
