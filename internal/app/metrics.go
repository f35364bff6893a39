package app

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
)

// visits counts finished requests by route and status: never by whom.
func (a *App) visits() func(web.Visit) {
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "keng_http_request_seconds", Help: "Time until the answer was written, by route and status.",
		Buckets: []float64{.001, .005, .02, .1, .5, 2, 10},
	}, []string{"route", "status"})
	a.metrics.MustRegister(took)
	return func(v web.Visit) { took.WithLabelValues(v.Route, strconv.Itoa(v.Status)).Observe(v.Took.Seconds()) }
}

// gauge registers a number that is read when somebody asks.
func (a *App) gauge(name, help string, f func() float64) {
	a.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
}

func (a *App) counter(name, help string, f func() float64) {
	a.metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, f))
}

// journalOK reports whether what happens is being written down.
func (a *App) journalOK() bool {
	c := a.Committer.Health()
	return c.Stuck == nil && c.Slow <= slowWrite
}

// frontStats counts what passed the MQTT front, whichever it is.
func (a *App) frontStats() broker.Stats {
	switch {
	case a.listener != nil:
		return a.listener.Stats()
	case a.joined != nil:
		return a.joined.Stats()
	}
	return broker.Stats{}
}

// machineRoutes are for whoever runs the machine: they tell of nobody.
func (a *App) machineRoutes() {
	a.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	one := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	a.gauge("keng_journal_ok", "1 while what happens is written to disk.", func() float64 { return one(a.journalOK()) })
	a.gauge("keng_journal_waiting", "Entries not yet on disk.", func() float64 { return float64(a.Committer.Health().Waiting) })
	a.counter("keng_journal_commits_total", "Transactions of the journal.", func() float64 { return float64(a.Committer.Health().Commits) })
	a.counter("keng_journal_entries_total", "Entries written by the journal.", func() float64 { return float64(a.Committer.Health().Ops) })
	a.counter("keng_journal_set_aside_total", "Events that the database refused and that were set aside, ever.", func() float64 { return float64(a.journal.Aside()) })
	a.gauge("keng_audit_ok", "1 when the last audit found every invariant kept.", func() float64 { return one(a.Alarm.Audited().OK) })
	a.gauge("keng_audit_violations", "Broken invariants that the last audit found.", func() float64 { return float64(len(a.Alarm.Audited().Violations)) })
	a.gauge("keng_incidents_open", "Open incidents, drills and bell tests included, hold-ups not.", func() float64 { return float64(a.Alarm.CountOpen()) })
	a.gauge("keng_devices_online", "Devices that are alive.", func() float64 { return float64(a.Devices.Health(nil).Online) })
	a.gauge("keng_devices_offline", "Devices that are not.", func() float64 { return float64(a.Devices.Health(nil).Offline) })
	a.gauge("keng_mqtt_clients", "MQTT clients signed in.", func() float64 { return float64(a.frontStats().Connections) })
	a.counter("keng_mqtt_published_total", "Messages that came in.", func() float64 { return float64(a.frontStats().Published) })
	a.counter("keng_mqtt_acked_total", "PUBACK and PUBREC sent.", func() float64 { return float64(a.frontStats().Acked) })
	a.counter("keng_mqtt_sent_total", "Messages that went out.", func() float64 { return float64(a.frontStats().Sent) })
	a.counter("keng_mqtt_slow_total", "Clients cut because they took nothing.", func() float64 { return float64(a.frontStats().Slow) })
	a.counter("keng_device_alarms_total", "Alarm signals of devices, repetitions included, hold-ups not.", func() float64 { return float64(a.Devices.Stats().Alarms) })
	a.counter("keng_device_ignored_total", "Alarm readings that were stale, retained or out of service.", func() float64 { return float64(a.Devices.Stats().Ignored) })
	a.counter("keng_device_unknown_total", "Messages of unknown devices, or not understood.", func() float64 { return float64(a.Devices.Stats().Unknown) })
	serve := promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{})
	a.Kit.Handle(http.MethodGet, "/metrics", "Prometheus metrics", func(w http.ResponseWriter, r *http.Request) error {
		serve.ServeHTTP(w, r)
		return nil
	})
	a.Kit.Handle(http.MethodGet, "/healthz", "200 while the process lives", func(w http.ResponseWriter, _ *http.Request) error {
		return web.JSON(w, http.StatusOK, map[string]bool{"ok": true})
	})
	a.Kit.Handle(http.MethodGet, "/readyz", "200 when alarms are taken and written down", func(w http.ResponseWriter, _ *http.Request) error {
		if !a.journalOK() {
			return fault.New("app.Ready", fault.Busy, "app.journal_stuck")
		}
		return web.JSON(w, http.StatusOK, map[string]bool{"ok": true})
	})
}
