// HTTP on PORT: / 13 bytes, /json, /big 1 MiB
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"aiobench/rep"
)

func main() {
	big := bytes.Repeat([]byte("x"), 1<<20)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Write([]byte("Hello, world!"))
	})
	http.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"message": "Hello, world!", "items": []int{1, 2, 3}})
	})
	http.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(big)))
		w.Write(big)
	})
	panic(http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", rep.Arg(1, 7000)), nil))
}
