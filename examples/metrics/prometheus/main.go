// Command prometheus serves a store in memory, and the metrics of its requests
// at /metrics.
//
//	go run ./examples/metrics/prometheus
package main

import (
	"log"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

func main() {
	store, err := seshat.OpenMemory(seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: handler(store), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// handler serves sessions and metrics. It compares the path itself, because a
// mux would clean the path and so change session ids.
func handler(store *seshat.Store) http.Handler {
	registry := prometheus.NewRegistry()
	sessions := sessionhttp.Handler(store, sessionhttp.Options{Observe: observe(registry)})
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			metrics.ServeHTTP(w, r)
			return
		}
		sessions.ServeHTTP(w, r)
	})
}
