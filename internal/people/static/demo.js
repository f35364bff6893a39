// A demo link signs in with one click; without a script the button does it.
document.getElementById('play').submit()
