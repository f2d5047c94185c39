package server

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"slipway/internal/dyno"
)

// metrics serves the process's own figures and those of the dynos; the
// libraries' global registry, with its hundreds of idle series, stays out.
func metrics(dynos *dyno.Manager) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		dynoCollector{dynos, prometheus.NewDesc("slipway_dynos", "Dynos of the apps' formations that are awake, by state.", []string{"state"}, nil)},
	)
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}

// A dynoCollector counts dynos when it is asked.
type dynoCollector struct {
	dynos *dyno.Manager
	desc  *prometheus.Desc
}

var _ prometheus.Collector = dynoCollector{}

// Describe implements prometheus.Collector.
func (c dynoCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect implements prometheus.Collector.
func (c dynoCollector) Collect(ch chan<- prometheus.Metric) {
	for state, n := range c.dynos.Count() {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(n), string(state))
	}
}
