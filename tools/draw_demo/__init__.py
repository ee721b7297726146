"""Draw the demo scene, and render it to the video that the package ships."""
