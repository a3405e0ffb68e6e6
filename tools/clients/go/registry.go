package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hamba/avro/v2"
)

// registry finds schemas and speaks the Confluent wire format: a zero byte, the schema's id
// (big-endian), Avro binary.
//
// A writer asks for the newest version of its subject and writes with that; a reader takes the id
// out of each record, asks for that schema once, and resolves the record to a schema of its own. So
// both sides go on working when the subject evolves.
type registry struct {
	url      string
	resolved map[uint32]avro.Schema
}

const headerBytes = 5

func newRegistry(url string) *registry {
	return &registry{url: strings.TrimRight(url, "/"), resolved: map[uint32]avro.Schema{}}
}

type schemaVersion struct {
	ID     uint32 `json:"id"`
	Schema string `json:"schema"`
}

func (r *registry) get(ctx context.Context, path string) (schemaVersion, avro.Schema, error) {
	var version schemaVersion
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	if err != nil {
		return version, nil, fmt.Errorf("registry: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return version, nil, fmt.Errorf("registry: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return version, nil, fmt.Errorf("registry: %s%s: %s", r.url, path, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(&version); err != nil {
		return version, nil, fmt.Errorf("registry: %s%s: %w", r.url, path, err)
	}
	// A cache of its own for each text: two versions define the same names.
	schema, err := avro.ParseWithCache(version.Schema, "", &avro.SchemaCache{})
	if err != nil {
		return version, nil, fmt.Errorf("registry: %s%s: %w", r.url, path, err)
	}
	return version, schema, nil
}

// latest is the newest version of a subject.
func (r *registry) latest(ctx context.Context, subject string) (uint32, avro.Schema, error) {
	version, schema, err := r.get(ctx, "/subjects/"+subject+"/versions/latest")
	return version.ID, schema, err
}

// resolve gives the schema that reads the writer's bytes into the reader's fields.
func (r *registry) resolve(ctx context.Context, id uint32, reader avro.Schema) (avro.Schema, error) {
	if schema, known := r.resolved[id]; known {
		return schema, nil
	}
	_, writer, err := r.get(ctx, fmt.Sprintf("/schemas/ids/%d", id))
	if err != nil {
		return nil, err
	}
	schema, err := avro.NewSchemaCompatibility().Resolve(reader, writer)
	if err != nil {
		return nil, fmt.Errorf("schema %d: %w", id, err)
	}
	r.resolved[id] = schema
	return schema, nil
}

func encode(id uint32, schema avro.Schema, record any) ([]byte, error) {
	body, err := avro.Marshal(schema, record)
	if err != nil {
		return nil, err
	}
	framed := binary.BigEndian.AppendUint32([]byte{0}, id)
	return append(framed, body...), nil
}

func (r *registry) decode(ctx context.Context, framed []byte, reader avro.Schema, out any) error {
	if len(framed) < headerBytes || framed[0] != 0 {
		return errors.New("not in the Confluent wire format")
	}
	schema, err := r.resolve(ctx, binary.BigEndian.Uint32(framed[1:]), reader)
	if err != nil {
		return err
	}
	return avro.Unmarshal(schema, framed[headerBytes:], out)
}
