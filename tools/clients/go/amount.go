package main

import (
	"errors"
	"math/big"
	"regexp"
	"strings"
)

// amount is a decimal(38,18) as it stands on the wire: fixed(16), a big-endian two's complement that
// counts atoms of 10^-18. It is a flag.Value too. No float ever holds one.
type amount [16]byte

const decimals = 18

var (
	amountPattern = regexp.MustCompile(`^[0-9]{1,16}(\.[0-9]{1,18})?$`)
	modulus       = new(big.Int).Lsh(big.NewInt(1), 128)
)

// Set takes an amount exactly as written, or not at all.
func (a *amount) Set(text string) error {
	if !amountPattern.MatchString(text) {
		return errors.New("no amount: 16 digits, 18 decimals at most")
	}
	whole, fraction, _ := strings.Cut(text, ".")
	atoms, _ := new(big.Int).SetString(whole+fraction+strings.Repeat("0", decimals-len(fraction)), 10)
	atoms.FillBytes(a[:])
	return nil
}

func (a amount) isZero() bool { return a == amount{} }

// String writes no zeros behind the last decimal.
func (a amount) String() string {
	atoms := new(big.Int).SetBytes(a[:])
	sign := ""
	if a[0] >= 0x80 {
		atoms.Sub(modulus, atoms)
		sign = "-"
	}
	digits := atoms.String()
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - decimals
	text := digits[:point] + "." + digits[point:]
	return sign + strings.TrimRight(strings.TrimRight(text, "0"), ".")
}
