// Command opentelemetry serves a store in memory and prints the metrics of its
// requests every ten seconds. To send them, replace the printing exporter with
// that of your collector.
//
//	go run ./examples/metrics/opentelemetry
package main

import (
	"log"
	"net/http"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

func main() {
	store, err := seshat.OpenMemory(seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	exporter, err := stdoutmetric.New()
	if err != nil {
		log.Fatal(err)
	}
	reader := sdk.NewPeriodicReader(exporter, sdk.WithInterval(10*time.Second))
	h, err := handler(store, sdk.NewMeterProvider(sdk.WithReader(reader)))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: h, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// handler serves sessions and records the metrics of their requests with p.
func handler(store *seshat.Store, p metric.MeterProvider) (http.Handler, error) {
	hook, err := observe(p.Meter("github.com/seshatdb/seshat/sessionhttp"))
	if err != nil {
		return nil, err
	}
	return sessionhttp.Handler(store, sessionhttp.Options{Observe: hook}), nil
}
