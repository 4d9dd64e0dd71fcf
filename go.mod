module github.com/seshatdb/seshat

go 1.25
