package sessionhttp_test

import (
	"testing"

	"github.com/seshatdb/seshat/sessionhttp/httpsuite"
)

func TestRoutes(t *testing.T) { httpsuite.Run(t, nil) }
