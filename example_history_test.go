package seshat_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seshatdb/seshat"
)

// The log is read from either end, and can be rewound or shortened. Numbers are
// never used again.
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
		if _, err := acme.Append(ctx, "chat", seshat.Message{Role: seshat.RoleUser, Content: fmt.Sprint("m", i+1)}); err != nil {
			log.Fatal(err)
		}
	}
	show := func(what string, options ...seshat.HistoryOption) {
		messages, err := acme.History(ctx, "chat", options...)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(what, ":")
		for _, m := range messages {
			fmt.Print(" ", m.Seq, "=", m.Content)
		}
		fmt.Println()
	}

	show("last 3", seshat.Last(3))
	show("newest first", seshat.NewestFirst(), seshat.Limit(2))
	show("a range", seshat.FromSeq(2), seshat.ToSeq(4))

	removed, err := acme.Truncate(ctx, "chat", 6)
	if err != nil {
		log.Fatal(err)
	}
	_, err = acme.Summarize(ctx, "chat", seshat.Range{From: 1, To: 4}, seshat.Message{Role: seshat.RoleSystem, Content: "m1-m4"})
	if err != nil {
		log.Fatal(err)
	}
	s, err := acme.Append(ctx, "chat", seshat.Message{Role: seshat.RoleUser, Content: "new"})
	if err != nil {
		log.Fatal(err)
	}
	show(fmt.Sprint(removed, " removed, 4 summarized"))
	fmt.Println(s.MessageCount, "messages, the last is", s.LastSeq)
	// Output:
	// last 3: 6=m6 7=m7 8=m8
	// newest first: 8=m8 7=m7
	// a range: 2=m2 3=m3 4=m4
	// 2 removed, 4 summarized: 4=m1-m4 5=m5 6=m6 9=new
	// 4 messages, the last is 9
}
