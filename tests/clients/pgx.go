package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"strings"

	"github.com/jackc/pgx/v5"
)

type document struct {
	ID    json.Number `json:"id"`
	Name  string      `json:"name"`
	Total json.Number `json:"total,omitempty"` // float64, which is what `any` gets, has 53 bits
	Price json.Number `json:"price,omitempty"`
	Tags  []string    `json:"tags,omitempty"`
}

type operation struct {
	Upsert []document `json:"upsert"`
}

type answer struct {
	Count int64      `json:"count"`
	Items []document `json:"items"`
}

func run(ctx context.Context) error {
	connection, err := pgx.Connect(ctx, "") // reads PGHOST and the like
	if err != nil {
		return err
	}
	defer connection.Close(ctx)

	// pgx makes JSON of any value where the parameter is jsonb.
	operations := []operation{{Upsert: []document{
		{ID: "1", Name: "Ann", Total: "9007199254740993", Price: "1.10", Tags: []string{"a", "b"}},
		{ID: "2", Name: "Bob", Tags: []string{"b"}},
		{ID: "3", Name: "O'Brien"},
	}}}
	if _, err = connection.Exec(ctx, "SELECT session_update($1, $2)", "clients", operations); err != nil {
		return err
	}

	var found answer
	query := connection.QueryRow(ctx, "SELECT session_query('clients', $1)", "name:Ann AND tags:b")
	if err = query.Scan(&found); err != nil {
		return err
	}
	fmt.Printf("%d match, total %s, price %s\n", found.Count, found.Items[0].Total, found.Items[0].Price)

	// Rows are read from the connection as Next asks for them.
	rows, err := connection.Query(ctx, "SELECT session_stream('clients', $1, sort => 'id asc')", "*:*")
	if err != nil {
		return err
	}
	var ids []string
	for rows.Next() {
		var doc document
		if err = rows.Scan(&doc); err != nil {
			return err
		}
		ids = append(ids, doc.ID.String())
	}
	if err = rows.Err(); err != nil {
		return err
	}
	fmt.Println("streamed", strings.Join(ids, " "))

	// A type that pgx does not know arrives as text.
	var q string
	if err = connection.QueryRow(ctx, "SELECT q FROM alerts WHERE id = $1", 1).Scan(&q); err != nil {
		return err
	}
	fmt.Println("alert", q)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
