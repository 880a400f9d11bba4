package main

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"aiobench/rep"
)

func get(client *http.Client, url string) {
	res, err := client.Get(url)
	if err != nil {
		panic(err)
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || res.StatusCode != 200 || len(body) == 0 {
		panic("bad answer")
	}
}

func main() {
	port, n, tasks := rep.Arg(1, 0), rep.Arg(2, 30000), rep.Arg(3, 32)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: tasks}}
	url, began := fmt.Sprintf("http://127.0.0.1:%d/", port), rep.Now()
	left, all := int64(n), sync.WaitGroup{}
	for i := 0; i < tasks; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for atomic.AddInt64(&left, -1) >= 0 {
				get(client, url)
			}
		}()
	}
	all.Wait()
	rep.Report(n, rep.Now()-began, "")
}
