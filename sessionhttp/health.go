package sessionhttp

import (
	_ "embed" // for openapi.json
	"net/http"
)

// OpenAPI is the description of all routes in OpenAPI 3.1, as /openapi.json
// serves it. It must not be changed.
//
//go:embed openapi.json
var OpenAPI []byte

func (x *exchange) openAPI() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	x.out = append(x.out, OpenAPI...)
	return x.reply(http.StatusOK)
}

// healthz answers while the process runs.
func (x *exchange) healthz() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	x.out = append(x.out, `{"status":"ok"}`...)
	return x.reply(http.StatusOK)
}

// readyz answers whether the store takes requests.
func (x *exchange) readyz() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	if x.closing() {
		return errShutdown
	}
	st, err := x.store.Stats(x.r.Context())
	if err != nil {
		return err
	}
	if st.Engine.Failed != nil {
		return errStoreUnavailable
	}
	x.out = append(x.out, `{"status":"ready"}`...)
	return x.reply(http.StatusOK)
}
