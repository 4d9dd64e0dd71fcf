package main

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// series is a line of a plot.
type series struct {
	name   string
	x, y   []float64
	strong bool
}

// chart is a plot with logarithmic axes.
type chart struct {
	title, xName, yName string
	lines               []series
}

func (r *results) plot(dir string) error {
	for name, c := range map[string]chart{"throughput.svg": r.throughput(), "latency.svg": r.latency()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(c.svg()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (r *results) throughput() chart {
	c := chart{title: "durable appends", xName: "goroutines", yName: "appends a second"}
	for i, p := range r.m.peers {
		s := series{name: p.kind.Name, strong: i == 0}
		for _, row := range r.m.rows {
			if row.name == "append" && row.found[i] != nil {
				s.add(float64(row.g), row.found[i].perSec)
			}
		}
		c.lines = append(c.lines, s)
	}
	return c
}

func (r *results) latency() chart {
	c := chart{title: "median latency of one goroutine's calls", xName: "sessions in the store", yName: "microseconds"}
	for _, what := range []string{"get", "append"} {
		for _, name := range strings.Split(grown, ",") {
			s := series{name: name + ", " + what, strong: name == "Seshat"}
			for _, x := range r.grown {
				if x.name == name {
					d := x.get
					if what == "append" {
						d = x.add
					}
					s.add(float64(x.n), float64(d.Nanoseconds())/1e3)
				}
			}
			c.lines = append(c.lines, s)
		}
	}
	return c
}

func (s *series) add(x, y float64) {
	if y > 0 {
		s.x = append(s.x, x)
		s.y = append(s.y, y)
	}
}

// Sizes of a plot in pixels.
const (
	plotWidth  = 560
	plotHeight = 380
	plotLeft   = 70
	plotTop    = 40
	legend     = 190
)

// axis maps values to pixels.
type axis struct{ from, to, low, high float64 }

func (a axis) at(v float64) float64 {
	return a.from + (math.Log10(v)-a.low)/(a.high-a.low)*(a.to-a.from)
}

// ticks are the powers of ten within the axis.
func (a axis) ticks() (out []float64) {
	for e := math.Ceil(a.low - 1e-9); e <= a.high+1e-9; e++ {
		out = append(out, math.Pow(10, e))
	}
	return out
}

func newAxis(lines []series, pick func(series) []float64, from, to float64) axis {
	low := math.Inf(1)
	high := math.Inf(-1)
	for _, s := range lines {
		for _, v := range pick(s) {
			low = min(low, math.Log10(v))
			high = max(high, math.Log10(v))
		}
	}
	if math.IsInf(low, 0) {
		low = 0
		high = 1
	}
	low = math.Floor(low)
	return axis{from, to, low, max(low+1, math.Ceil(high*10)/10)}
}

var colors = []string{
	"#c1272d", "#1f77b4", "#7fb2d9", "#2ca02c", "#9467bd", "#e08214", "#8c564b", "#17a2a2",
	"#bcbd22", "#d6619e", "#555555",
}

func (c *chart) svg() string {
	t := new(text)
	x := newAxis(c.lines, func(s series) []float64 { return s.x }, plotLeft, plotLeft+plotWidth)
	y := newAxis(c.lines, func(s series) []float64 { return s.y }, plotTop+plotHeight, plotTop)
	t.f(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n",
		plotLeft+plotWidth+legend, plotTop+plotHeight+50)
	t.f(`<rect width="100%%" height="100%%" fill="white"/>` + "\n")
	t.f(`<text x="%d" y="24" font-size="15">%s</text>`+"\n", plotLeft, html.EscapeString(c.title))
	for _, v := range x.ticks() {
		t.f(`<path d="M%.1f %d V%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			x.at(v), plotTop, plotTop+plotHeight, x.at(v), plotTop+plotHeight+18, count(v))
	}
	for _, v := range y.ticks() {
		t.f(`<path d="M%d %.1f H%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, y.at(v), plotLeft+plotWidth, plotLeft-6, y.at(v)+4, count(v))
	}
	t.f(`<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", plotLeft+plotWidth/2, plotTop+plotHeight+38,
		html.EscapeString(c.xName))
	t.f(`<text transform="translate(14 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", plotTop+plotHeight/2,
		html.EscapeString(c.yName))
	for i, s := range c.lines {
		c.line(t, i, s, x, y)
	}
	t.f("</svg>\n")
	return t.String()
}

// line draws a series and its entry in the legend.
func (c *chart) line(t *text, i int, s series, x, y axis) {
	if len(s.x) == 0 {
		return
	}
	color := colors[i%len(colors)]
	dash := ""
	if i >= len(c.lines)/2 && strings.Contains(s.name, ", append") {
		color = colors[(i-len(c.lines)/2)%len(colors)]
		dash = ` stroke-dasharray="5 3"`
	}
	width := map[bool]string{true: "3.5", false: "1.5"}[s.strong]
	points := make([]string, len(s.x))
	for j := range s.x {
		points[j] = fmt.Sprintf("%.1f,%.1f", x.at(s.x[j]), y.at(s.y[j]))
	}
	t.f(`<polyline fill="none" stroke="%s" stroke-width="%s"%s points="%s"/>`+"\n", color, width, dash,
		strings.Join(points, " "))
	left := plotLeft + plotWidth + 14
	top := plotTop + 10 + i*20
	t.f(`<path d="M%d %d h22" stroke="%s" stroke-width="%s"%s/>`, left, top, color, width, dash)
	t.f(`<text x="%d" y="%d">%s</text>`+"\n", left+28, top+4, html.EscapeString(cmp.Or(s.name, "?")))
}
