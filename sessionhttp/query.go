package sessionhttp

import (
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"
)

// query is the parsed query of a URL.
type query struct {
	*problems
	values url.Values
}

// queryOf parses the query. It rejects parameters that the route does not take
// or that are given twice.
func (x *exchange) queryOf() (*query, error) {
	q := &query{problems: &problems{}}
	if x.r.URL.RawQuery == "" {
		return q, nil
	}
	values, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return nil, malformed("the query has an invalid escape or a semicolon")
	}
	for name, v := range values {
		switch {
		case !slices.Contains(x.route.query, name):
			return nil, malformed("the query parameter " + strconv.Quote(shortened(name)) +
				" is not allowed on this route")
		case len(v) > 1:
			return nil, malformed("the query parameter " + name + " is given twice")
		case !utf8.ValidString(v[0]):
			return nil, malformed("the query parameter " + name + " is not valid UTF-8")
		}
	}
	q.values = values
	return q, nil
}

// int returns an integer from least to most, or absent.
func (q *query) int(name string, least, most, absent int) int {
	v, ok := q.values[name]
	if !ok {
		return absent
	}
	n, err := strconv.ParseUint(v[0], 10, 63)
	if err != nil || n < uint64(least) || n > uint64(most) {
		lo := strconv.Itoa(least)
		hi := strconv.Itoa(most)
		q.limit(name, "must be an integer from "+lo+" to "+hi, lo, hi)
		return absent
	}
	return int(n)
}

// flag returns a boolean, false if it is absent.
func (q *query) flag(name string) bool {
	v, ok := q.values[name]
	if ok && v[0] != "true" && v[0] != "false" {
		q.add(name, "must be true or false")
	}
	return ok && v[0] == "true"
}
