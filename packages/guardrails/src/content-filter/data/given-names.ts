/** Given names that are common in several countries and are seldom anything else. Collected for this project. */
const UNAMBIGUOUS = `
Aaron Abigail Adam Adele Adrian Adriana Agata Agnes Agnieszka Ahmed Ahmet Aidan Aisha Aisling Akira Alain Alan Albert Alberto Alejandra Alejandro
Aleksandra Alessandra Alessandro Alessia Alex Alexander Alexandra Alexandre Alexandru Alexis Alfonso Alfred Alfredo Ali Alice Alicia Alina Alison
Allison Alma Alvaro Amanda Amelia Amina Amir Amit Amy Ana Anastasia Anders Andre Andrea Andreas Andrei Andres Andrew Andrzej Angela Angelica
Angelina Anil Anita Anja Anjali Ann Anna Annabel Anne Annette Annie Anthony Antoine Antonia Antonio Anton Anya Arjun Arne Arnold Arthur Arturo
Ashley Astrid Audrey Aurora Ayesha Barbara Beata Beatrice Beatriz Ben Benedict Benjamin Bernadette Bernard Bernd Bethany Bianca Birgit Bjorn
Bogdan Boris Brandon Brenda Brian Bridget Bruno Bryan Caitlin Camila Camille Carina Carl Carla Carlo Carlos Carmen Carol Carolina Caroline
Catalina Caterina Catherine Cecilia Celine Cesar Charles Charlie Charlotte Chiara Chloe Chris Christian Christina Christine Christoph Christophe
Christopher Cindy Claire Clara Claudia Claudio Clemens Colin Connor Conor Cristian Cristina Cynthia Damian Dan Daniel Daniela Daniele Danielle
Daria Dario David Deborah Debra Denis Denise Dennis Derek Diana Diane Diego Dieter Dimitri Dimitris Dirk Dmitri Dominic Dominik Dominique Donald
Donna Dorota Dorothy Douglas Duncan Dylan Edith Eduardo Edward Edwin Eileen Elaine Elena Eleanor Eleni Elif Elisa Elisabeth Elise Elizabeth Ella
Ellen Elsa Emil Emilia Emilie Emily Emma Emmanuel Enrico Enrique Eric Erica Erik Erika Erin Ernesto Esteban Esther Ethan Eugene Eva Evelyn Ewa
Fabian Fabio Fabrice Farah Fatima Federica Federico Felicia Felipe Felix Fernanda Fernando Filip Fiona Florence Florian Frances Francesca Francesco
Francis Francisco Francois Franz Fred Frederic Frederick Frederik Freya Friedrich Fritz Gabriel Gabriela Gabriella Gareth Gary Gavin Gemma Geoffrey
George Georgia Georgios Gerald Gerard Gerhard Giacomo Gianni Gillian Giorgia Giovanni Giulia Giuseppe Gloria Gonzalo Gordon Grazyna Greg Gregory
Greta Grzegorz Guillaume Guillermo Gunnar Gustav Gustavo Hamza Hana Hanna Hannah Hans Harald Harold Harriet Harry Hassan Hector Heidi Heike Heinrich
Helen Helena Helene Helga Helmut Hendrik Henri Henrik Henry Herbert Hiroshi Holger Hugo Ian Ibrahim Ignacio Igor Ilse Ilona Imran Ines Inga Inge
Ingrid Ioana Irena Irene Irina Isaac Isabel Isabella Isabelle Ivan Ivana Jack Jackson Jacob Jacqueline Jacques Jaime Jakob Jakub James Jamie Jan
Jana Jane Janet Janice Janine Janusz Jaroslav Jasmin Jason Javier Jean Jeffrey Jennifer Jens Jeremy Jerzy Jessica Jill Joachim Joan Joana Joanna
Joanne Joaquin Joao Jochen Joel Johan Johanna Johannes John Jonas Jonathan Jorge Jose Josef Joseph Josephine Joshua Josue Joyce Juan Juana Judith
Julia Julian Juliana Julie Juliette Julio Jurgen Justin Justyna Kai Kamil Karen Karim Karin Karina Karl Karolina Kate Katarina Katarzyna Katerina
Katharina Katherine Kathleen Kathryn Katie Katja Katrin Kayla Kazuo Keith Kelly Kenji Kenneth Kevin Khalid Kim Klaus Konrad Konstantin Kristen
Kristian Kristin Kristina Kristof Krzysztof Kumar Kurt Kyle Lars Laszlo Laura Lauren Laurent Lea Leah Leila Lena Leo Leon Leonard Leonardo Leonie
Leticia Liam Linda Lindsay Lionel Lisa Logan Lorenzo Louis Louise Luc Luca Lucas Lucia Luciana Lucie Ludwig Luis Luisa Lukas Lukasz Lydia Maciej
Madeleine Madison Magda Magdalena Magnus Mahmoud Maja Malcolm Malgorzata Manfred Manon Manuel Manuela Marc Marcel Marcela Marcello Marcin Marco
Marcos Marek Margaret Margarita Margot Maria Mariana Marie Marina Mario Marion Marisa Marius Mariusz Marjorie Marta Martha Martin Martina Martine
Mary Mateo Mateusz Mathieu Mathilde Matteo Matthew Matthias Matthieu Maurice Mauricio Maurizio Max Maxime Maximilian Maya Megan Mehmet Melanie
Melissa Mercedes Meredith Mia Michael Michaela Michal Michel Michele Michelle Miguel Mihai Mikael Mikhail Milan Milena Milos Mina Ming Miriam
Miroslav Mohamed Mohammad Mohammed Mona Monica Monika Monique Morgan Moritz Muhammad Mustafa Nadia Nadine Nancy Naomi Natalia Natalie Natasha
Nathalie Nathan Nicholas Nick Nicola Nicolas Nicole Niels Nigel Nikita Nikola Nikolai Nikolaos Nils Nina Noah Noel Noemi Nora Norbert Norman Olaf
Oleg Olga Oliver Olivia Olivier Omar Oscar Oskar Oswald Otto Pablo Pamela Paola Paolo Patricia Patrick Patrik Paul Paula Paulina Pauline Paulo Pavel
Pawel Pedro Penelope Per Peter Petra Philip Philipp Philippe Phillip Phyllis Pierre Pietro Piotr Priya Rachel Radu Rafael Rafal Raffaele Rahul Raj
Rajesh Ralf Ralph Ramon Raphael Raquel Rashid Raul Raymond Rebecca Regina Reinhard Renata Renate Rene Ricardo Riccardo Richard Rita Robert Roberta
Roberto Robin Rodrigo Roger Roland Rolf Roman Ronald Rosa Rosalie Rosemary Ross Roxana Ruben Rudolf Rupert Russell Ruth Ryan Sabine Sabrina Salma
Salvatore Sam Samantha Samir Samuel Sandra Sandrine Sanjay Santiago Sara Sarah Sascha Scott Sean Sebastian Sebastien Selma Serge Sergei Sergio
Severin Shane Shannon Sharon Sheila Shirley Sidney Siegfried Silke Silvia Simon Simona Simone Sofia Sofie Sonia Sonja Sophia Sophie Stanislav
Stefan Stefania Stefano Steffen Stephan Stephane Stephanie Stephen Steve Steven Stuart Sunita Susan Susana Susanne Suzanne Sven Svetlana Sylvia
Sylvie Tadeusz Takashi Tamara Tania Tanja Tara Tatiana Ted Teresa Thea Theo Theodor Theodore Theresa Thierry Thomas Thorsten Tim Timothy Tina Tobias
Todd Tom Tomas Tomasz Tony Torsten Tracy Trevor Tristan Udo Ulrich Ulrike Ursula Uwe Valentina Valeria Valerie Vanessa Vera Veronica Veronika
Veronique Vicente Victoria Vikram Viktor Vincent Vincenzo Viola Violeta Virginia Vittorio Vivian Vladimir Volker Walter Wanda Wendy Werner Wesley
Wilhelm William Wojciech Wolfgang Xavier Yann Yasmin Yolanda Yuki Yuri Yusuf Yves Yvonne Zachary Zainab Zeynep Zoe Zofia Zuzana`;

export const GIVEN_NAMES: readonly string[] = UNAMBIGUOUS.trim().split(/\s+/);
