package server

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"path/filepath"
	"slices"

	"github.com/telepath-iot/telepath/signaling/cert"
)

// certificates are those that TLS is ended with.
type certificates interface {
	TLS() *tls.Config
	Shown(name string) *cert.Shown
	Reload()
	Run(ctx context.Context) error
}

// openCertificates gets the certificates that the configuration asks for, if any.
func (s *Server) openCertificates() error {
	c := s.cfg
	if err := oneOf(c.TLSSelf, c.TLSCert != "" || c.TLSKey != "", len(c.ACME) > 0); err != nil {
		return err
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together: give both")
	}
	switch {
	case c.TLSCert != "":
		files, err := cert.OpenFiles(c.TLSCert, c.TLSKey, c.Log)
		if err != nil {
			return err
		}
		s.certs = files
	case c.TLSSelf || len(c.ACME) > 0:
		own, err := cert.OpenSelf(c.Data, c.Name, slices.Sorted(maps.Keys(ownNames())), c.Log)
		if err != nil {
			return err
		}
		s.certs = own
		if len(c.ACME) > 0 {
			s.certs = cert.NewACME(cert.ACMEConfig{
				Names: c.ACME, Dir: filepath.Join(c.Data, "acme"), Directory: c.ACMEDirectory, Fallback: own, Every: c.acmeEvery, Log: c.Log,
			})
		}
	default:
		return nil
	}
	s.tls = s.certs.TLS()
	s.tls.GetConfigForClient = s.noteClientHello
	return nil
}

// oneOf refuses more than one way to get certificates.
func oneOf(ways ...bool) error {
	n := 0
	for _, way := range ways {
		if way {
			n++
		}
	}
	if n > 1 {
		return errors.New("--tls self, --tls-cert and --acme exclude one another: give one of them")
	}
	return nil
}

// Pin is what clients pass as --tls-pin to trust the certificate that is shown
// to who asks for no name; empty without TLS.
func (s *Server) Pin() string {
	if s.certs == nil {
		return ""
	}
	return s.certs.Shown("").Pin()
}

// ReloadCertificates loads the files of the certificate again.
func (s *Server) ReloadCertificates() {
	if s.certs != nil {
		s.certs.Reload()
	}
}
