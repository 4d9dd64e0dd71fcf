package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/seshatdb/seshat"
)

// problem is an error answer of the API.
type problem struct {
	Status int `json:"status"`
	Reason struct {
		Message string `json:"message"`
		Type    string `json:"type"`
	} `json:"error"`
}

// Error returns the server's message.
func (p *problem) Error() string {
	return fmt.Sprintf("%s (%d %s)", p.Reason.Message, p.Status, http.StatusText(p.Status))
}

// Unwrap returns the sentinel for the status of the answer.
func (p *problem) Unwrap() error {
	switch p.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return errDenied
	case http.StatusNotFound:
		return seshat.ErrNotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return seshat.ErrConflict
	case http.StatusGone:
		return seshat.ErrLagged
	case http.StatusTooManyRequests:
		return seshat.ErrQuota
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return seshat.ErrInvalid
	}
	return nil
}

// readProblem decodes an error answer of a server.
func readProblem(res *http.Response) error {
	p := &problem{}
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if json.Unmarshal(b, p) != nil || p.Reason.Message == "" {
		p.Reason.Message = "the server gave no reason"
	}
	p.Status = res.StatusCode
	return p
}
