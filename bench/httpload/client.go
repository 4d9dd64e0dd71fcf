package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"time"
)

// client is a cheap keep-alive connection. It assembles requests from pieces,
// and reads only the status and the length of an answer.
type client struct {
	c      net.Conn
	in     *bufio.Reader
	out    []byte
	header string
	body   string
	rand   *rand.Rand
}

func (w *world) dial(ctx context.Context, address string, seed uint64) (*client, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &client{
		c: c, in: bufio.NewReaderSize(c, 16<<10), rand: rand.New(rand.NewPCG(seed, 1)), body: bodyOf("POST"),
		header: " HTTP/1.1\r\nHost: x\r\nX-Namespace: acme\r\nAuthorization: Bearer " + w.secret + "\r\n",
	}, nil
}

func (c *client) get(session string) error {
	c.out = fmt.Appendf(c.out[:0], "GET /v1/agents/sessions/%s%s\r\n", session, c.header)
	return c.exchange()
}

func (c *client) post(session string) error {
	c.out = fmt.Appendf(c.out[:0],
		"POST /v1/agents/sessions/%s/messages%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		session, c.header, len(c.body), c.body)
	return c.exchange()
}

// exchange sends c.out and reads an answer, which must be a success.
func (c *client) exchange() error {
	if err := c.c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	if _, err := c.c.Write(c.out); err != nil {
		return err
	}
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 20")) {
		return fmt.Errorf("answered with %q", status)
	}
	length := 0
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if n, err := c.in.Discard(length); err != nil || n == 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}
