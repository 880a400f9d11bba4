// N datagrams of SIZE bytes there and back between two endpoints, one at a time
package main

import (
	"bytes"
	"net"
	"runtime"

	"aiobench/rep"
)

func serve(c *net.UDPConn) {
	buf := make([]byte, 65536)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		c.WriteToUDPAddrPort(buf[:n], from)
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	n, size := rep.Arg(1, 200000), rep.Arg(2, 64)
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		panic(err)
	}
	go serve(server)
	client, err := net.DialUDP("udp4", nil, server.LocalAddr().(*net.UDPAddr))
	if err != nil {
		panic(err)
	}
	data, buf := bytes.Repeat([]byte("x"), size), make([]byte, 65536)
	t := rep.Now()
	for i := 0; i < n; i++ {
		client.Write(data)
		if k, err := client.Read(buf); err != nil || !bytes.Equal(buf[:k], data) {
			panic("a wrong answer")
		}
	}
	rep.Report(n, rep.Now()-t, "")
}
