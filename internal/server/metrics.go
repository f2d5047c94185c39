package server

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"slipway/gitserver"
	"slipway/internal/dyno"
)

// metrics serves the process's own figures and those of the dynos and of the
// upkeep of the repositories; the
// libraries' global registry, with its hundreds of idle series, stays out.
func metrics(dynos *dyno.Manager, git *gitserver.Server) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		dynoCollector{dynos, prometheus.NewDesc("slipway_dynos", "Dynos of the apps' formations that are awake, by state.", []string{"state"}, nil)},
		newUpkeepCollector(git),
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

// An upkeepCollector tells what the upkeep of the repositories has done.
type upkeepCollector struct {
	git     *gitserver.Server
	figures []upkeepFigure
}

type upkeepFigure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(gitserver.UpkeepStats) int64
}

var _ prometheus.Collector = upkeepCollector{}

func newUpkeepCollector(git *gitserver.Server) upkeepCollector {
	figure := func(name, help string, kind prometheus.ValueType, of func(gitserver.UpkeepStats) int64) upkeepFigure {
		return upkeepFigure{prometheus.NewDesc("slipway_upkeep_"+name, help, nil, nil), kind, of}
	}
	count := prometheus.CounterValue
	return upkeepCollector{git, []upkeepFigure{
		figure("repositories_total", "Repositories that needed upkeep, each time.", count, func(s gitserver.UpkeepStats) int64 { return s.Rounds }),
		figure("failures_total", "Repositories whose upkeep failed, each time.", count, func(s gitserver.UpkeepStats) int64 { return s.Failed }),
		figure("packs_joined_total", "Packs that were joined into larger ones.", count, func(s gitserver.UpkeepStats) int64 { return s.Packs }),
		figure("objects_swept_total", "Objects that were removed, as no ref led to them.", count, func(s gitserver.UpkeepStats) int64 { return s.Swept }),
		figure("written_bytes_total", "Bytes of packs that upkeep wrote.", count, func(s gitserver.UpkeepStats) int64 { return s.Bytes }),
		figure("pending", "Repositories that were pushed to and not looked after yet.", prometheus.GaugeValue, func(s gitserver.UpkeepStats) int64 { return s.Pending }),
	}}
}

// Describe implements prometheus.Collector.
func (c upkeepCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range c.figures {
		ch <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (c upkeepCollector) Collect(ch chan<- prometheus.Metric) {
	stats := c.git.UpkeepStats()
	for _, f := range c.figures {
		ch <- prometheus.MustNewConstMetric(f.desc, f.kind, float64(f.of(stats)))
	}
}
