package auth

// TURNSecret makes the credentials of the TURN server inside this process. It
// outlives a restart, so that who got credentials before can use them after.
func (a *Auth) TURNSecret() string { return a.turn }
