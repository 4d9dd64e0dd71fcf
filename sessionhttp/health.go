package sessionhttp

import (
	_ "embed" // for openapi.json
	"net/http"
)

// OpenAPI is the description of all routes in OpenAPI 3.1, which /openapi.json
// serves. Do not change its bytes.
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

// healthz answers as long as the process runs.
func (x *exchange) healthz() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	x.out = append(x.out, `{"status":"ok"}`...)
	return x.reply(http.StatusOK)
}

// readyz tells whether the store accepts requests.
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
