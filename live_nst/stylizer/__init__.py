"""From a frame to its stylized image: the network, the stabilizer and the look together."""
