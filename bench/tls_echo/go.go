// TLS echo on PORT with the certificate and key in TLS_PEM, a goroutine for each connection
package main

import (
	"aiobench/rep"
	"crypto/tls"
	"fmt"
	"net"
	"os"
)

func serve(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 65536)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err = c.Write(buf[:n]); err != nil {
			return
		}
	}
}

func main() {
	pem := os.Getenv("TLS_PEM")
	pair, err := tls.LoadX509KeyPair(pem, pem)
	if err != nil {
		panic(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	l, err := tls.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", rep.Arg(1, 7000)), config)
	if err != nil {
		panic(err)
	}
	for {
		if c, err := l.Accept(); err == nil {
			go serve(c)
		}
	}
}
