package seshat_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seshatdb/seshat"
)

// History reads a log from either end. Truncate removes its newest messages,
// and Summarize replaces older ones by a summary. Numbers are never reused.
func ExampleTenant_History() {
	ctx := context.Background()
	store, err := seshat.OpenMemory(seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	acme, err := store.EnsureTenant(ctx, seshat.Namespace{Name: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := acme.Create(ctx, seshat.NewSession{ID: "chat"}); err != nil {
		log.Fatal(err)
	}
	for i := range 8 {
		if _, err := acme.Append(ctx, "chat", seshat.Message{
			Role:    seshat.RoleUser,
			Content: fmt.Sprint("m", i+1),
		}); err != nil {
			log.Fatal(err)
		}
	}
	show := func(what string, q seshat.HistoryQuery) {
		page, err := acme.History(ctx, "chat", q)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(what, ":")
		for _, m := range page.Messages {
			fmt.Print(" ", m.Seq, "=", m.Content)
		}
		fmt.Println(" more:", page.More)
	}

	show("last 3", seshat.HistoryQuery{Last: 3})
	show("newest first", seshat.HistoryQuery{NewestFirst: true, Limit: 2})
	show("a range", seshat.HistoryQuery{FromSeq: 2, ToSeq: 4})

	removed, err := acme.Truncate(ctx, "chat", 6)
	if err != nil {
		log.Fatal(err)
	}
	_, err = acme.Summarize(ctx, "chat", seshat.Range{From: 1, To: 4},
		seshat.Message{Role: seshat.RoleSystem, Content: "m1-m4"})
	if err != nil {
		log.Fatal(err)
	}
	s, err := acme.Append(ctx, "chat", seshat.Message{Role: seshat.RoleUser, Content: "new"})
	if err != nil {
		log.Fatal(err)
	}
	show(fmt.Sprint(removed, " removed, 4 summarized"), seshat.HistoryQuery{})
	fmt.Println(s.MessageCount, "messages, the last is", s.LastSeq)
	// Output:
	// last 3: 6=m6 7=m7 8=m8 more: true
	// newest first: 8=m8 7=m7 more: true
	// a range: 2=m2 3=m3 4=m4 more: false
	// 2 removed, 4 summarized: 4=m1-m4 5=m5 6=m6 9=new more: false
	// 4 messages, the last is 9
}
