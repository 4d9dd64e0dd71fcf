package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

// life is an incarnation with a record or a staged log.
type life struct {
	ns  int64
	inc [16]byte
}

// livesPage is the number of incarnations that one statement reads.
const livesPage = 1000

// selectLives reads incarnations along two indexes, from or after a place.
func selectLives(compare string) string {
	return `select namespace, incarnation from (
		(select namespace, incarnation from {sessions}
			where (namespace, incarnation) ` + compare + ` ($1, $2) order by namespace, incarnation limit $3)
		union all
		(select namespace, incarnation from {logs}
			where (namespace, incarnation) ` + compare + ` ($1, $2) and until >= 0
				order by namespace, incarnation limit $3)
		) l order by namespace, incarnation limit $3`
}

// lives calls fn for runs of incarnations of one namespace, beginning with the
// incarnation of a place. Only the first run resumes after that place.
func (u *dump) lives(after driver.Place, fn func(after driver.Place, run []life) error) error {
	compare := `>=`
	for at := (life{int64(after.Namespace), after.Incarnation}); ; {
		page, err := u.nextLives(compare, at)
		if err != nil || len(page) == 0 {
			return err
		}
		if page[0] != (life{int64(after.Namespace), after.Incarnation}) {
			after = driver.Place{Kind: after.Kind}
		}
		at = page[len(page)-1]
		compare = `>`
		for len(page) > 0 {
			n := 1
			for n < len(page) && page[n].ns == page[0].ns {
				n++
			}
			if err := fn(after, page[:n]); err != nil {
				return err
			}
			page = page[n:]
			after = driver.Place{Kind: after.Kind}
		}
	}
}

func (u *dump) nextLives(compare string, at life) (page []life, err error) {
	rows, err := u.tx.Query(u.ctx, u.d.text(selectLives(compare)), at.ns, at.inc[:], livesPage)
	if err != nil {
		return nil, err
	}
	var l life
	var inc []byte
	_, err = pgx.ForEachRow(rows, []any{&l.ns, &inc}, func() error {
		copy(l.inc[:], inc)
		page = append(page, l)
		return nil
	})
	return page, err
}

// logRows reads pages of the messages of a run along an index. It skips
// messages of incarnations outside the run.
func (u *dump) logRows(run []life, at driver.Place, scan func(pgx.Rows, *driver.Part) error, sql string,
	args func(at driver.Place) []any,
) error {
	for {
		rows, err := u.tx.Query(u.ctx, u.d.text(sql),
			append([]any{run[0].ns, run[0].inc[:], run[len(run)-1].inc[:]}, append(args(at), dumpPage)...)...)
		if err != nil {
			return err
		}
		n, err := u.handAlive(rows, run, &at, scan)
		if err != nil || n < dumpPage {
			return err
		}
	}
}

// handAlive dumps the rows of a page whose incarnations are in the run. It sets
// at to the place of the last row, dumped or not.
func (u *dump) handAlive(rows pgx.Rows, run []life, at *driver.Place,
	scan func(pgx.Rows, *driver.Part) error,
) (n int, err error) {
	defer rows.Close()
	i := 0
	for ; rows.Next(); n++ {
		p := driver.Part{Kind: at.Kind, Namespace: uint64(run[0].ns)}
		if err := scan(rows, &p); err != nil {
			return n, err
		}
		*at = p.Place()
		for i < len(run) && string(run[i].inc[:]) < string(p.Incarnation[:]) {
			i++
		}
		if i == len(run) || run[i].inc != p.Incarnation {
			continue
		}
		if err := u.hand(&p); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

func (u *dump) messages(after driver.Place) error {
	return u.lives(after, func(after driver.Place, run []life) error {
		return u.logRows(run, after, scanMessagePart, `select seq, id, digest, body, incarnation from {messages}
			where namespace = $1 and incarnation between $2 and $3
				and (incarnation, seq) > ($4, $5) and body is not null
			order by incarnation, seq limit $6`,
			func(at driver.Place) []any { return []any{at.Incarnation[:], cappedSeq(at.Number)} })
	})
}

// refs dumps the ids of dropped messages. Their rows have no body. Of several
// messages with one id, the last counts.
func (u *dump) refs(after driver.Place) error {
	return u.lives(after, func(after driver.Place, run []life) error {
		return u.logRows(run, after, scanMessagePart, `select seq, id, digest, body, incarnation from {messages} m
			where namespace = $1 and incarnation between $2 and $3 and (incarnation, id) > ($4, $5) and body is null
				and not exists (select 1 from {messages} l
					where l.namespace = m.namespace and l.incarnation = m.incarnation
					and l.id = m.id and l.seq > m.seq)
			order by incarnation, id limit $6`,
			func(at driver.Place) []any { return []any{at.Incarnation[:], at.Name} })
	})
}

func scanMessagePart(rows pgx.Rows, p *driver.Part) (err error) {
	var inc []byte
	p.Message, err = scanMessage(extraColumns{rows, []any{&inc}})
	copy(p.Incarnation[:], inc)
	return err
}
