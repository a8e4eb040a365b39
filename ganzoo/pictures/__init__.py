"""Pictures of samples: grids of images and scatter plots of points. Nothing here samples or trains."""
