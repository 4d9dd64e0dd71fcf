package peer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
)

// redisConn speaks RESP2.
type redisConn struct {
	c net.Conn
	r *bufio.Reader
	w *bufio.Writer
}

func newRedisConn(c net.Conn) *redisConn {
	return &redisConn{c, bufio.NewReader(c), bufio.NewWriter(c)}
}

// do sends commands and reads a reply for each: an error in one is returned
// after all were read.
func (c *redisConn) do(cmds [][]any) (replies []any, err error) {
	for _, cmd := range cmds {
		c.send(cmd)
	}
	if err := c.w.Flush(); err != nil {
		return nil, err
	}
	for range cmds {
		v, fail := c.reply()
		if fail != nil {
			err = fail
		}
		replies = append(replies, v)
	}
	return replies, err
}

func (c *redisConn) send(cmd []any) {
	fmt.Fprintf(c.w, "*%d\r\n", len(cmd))
	for _, a := range cmd {
		b, ok := a.([]byte)
		if !ok {
			b = fmt.Append(nil, a)
		}
		fmt.Fprintf(c.w, "$%d\r\n", len(b))
		c.w.Write(b)
		c.w.WriteString("\r\n")
	}
}

// reply returns a []byte, an int, a []any, or nil.
func (c *redisConn) reply() (any, error) {
	line, err := c.r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if len(line) < 3 {
		return nil, io.ErrUnexpectedEOF
	}
	rest := line[1 : len(line)-2]
	switch line[0] {
	case '+':
		return []byte(rest), nil
	case '-':
		return nil, errors.New("redis: " + rest)
	}
	n, err := strconv.Atoi(rest)
	if err != nil {
		return nil, err
	}
	switch {
	case line[0] == '$' && n >= 0:
		b := make([]byte, n+2)
		_, err := io.ReadFull(c.r, b)
		return b[:n], err
	case line[0] == '*' && n >= 0:
		return c.array(n)
	case line[0] == ':':
		return n, nil
	}
	return nil, nil
}

func (c *redisConn) array(n int) (any, error) {
	all := make([]any, n)
	for i := range all {
		v, err := c.reply()
		if err != nil {
			return nil, err
		}
		all[i] = v
	}
	return all, nil
}
